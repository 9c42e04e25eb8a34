/**
 * Python's values as templates see them: what they print, what they are equal to, how they compare and add up. Texts know which of their
 * characters came from outside the template. Knows neither syntax nor evaluation.
 */
@NullMarked
package dev.tidestream.server.chat.jinja.value;

import org.jspecify.annotations.NullMarked;
