/**
 * What versions are made of, in files that are named by their SHA-256, and how nodes give them to each other. Knows neither the log nor
 * what is in them.
 */
@NullMarked
package dev.tidestream.server.cluster.blob;

import org.jspecify.annotations.NullMarked;
