/** What a format is made of: sizes, panels, the way of elements into panels and out of them. Imports nothing of this project. */
@NullMarked
package dev.tidestream.model.format.base;

import org.jspecify.annotations.NullMarked;
