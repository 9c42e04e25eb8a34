/** Tests of what all commands have in common. */
@NullMarked
package dev.tidestream.console;

import org.jspecify.annotations.NullMarked;
