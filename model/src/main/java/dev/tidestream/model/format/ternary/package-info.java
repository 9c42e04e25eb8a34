/** What ternary formats have in common: integers of two bits. Imports {@code format.base}. */
@NullMarked
package dev.tidestream.model.format.ternary;

import org.jspecify.annotations.NullMarked;
