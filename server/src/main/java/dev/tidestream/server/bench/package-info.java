/**
 * Measuring tools of the commands {@code bench}. Nothing that serves knows them.
 */
@NullMarked
package dev.tidestream.server.bench;

import org.jspecify.annotations.NullMarked;
