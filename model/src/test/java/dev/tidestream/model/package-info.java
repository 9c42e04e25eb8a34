/** Test tools shared by the rooms of the model, and by the tests of the server. */
@NullMarked
package dev.tidestream.model;

import org.jspecify.annotations.NullMarked;
