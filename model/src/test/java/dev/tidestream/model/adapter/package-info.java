@NullMarked
package dev.tidestream.model.adapter;

import org.jspecify.annotations.NullMarked;
