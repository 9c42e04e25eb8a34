/**
 * Turns of the decode loop and of whoever builds the next epoch: breaks between two steps. Knows neither.
 */
@NullMarked
package dev.tidestream.server.pacing;

import org.jspecify.annotations.NullMarked;
