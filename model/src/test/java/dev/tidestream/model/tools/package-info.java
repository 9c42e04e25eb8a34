/** Tools for people, run from source; used by no test. */
@NullMarked
package dev.tidestream.model.tools;

import org.jspecify.annotations.NullMarked;
