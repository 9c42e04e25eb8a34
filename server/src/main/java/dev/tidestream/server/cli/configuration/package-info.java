/**
 * Settings of {@code serve} that are not on its command line: what picocli takes from file and environment, which may change
 * while a server runs, and how that is noticed.
 */
@NullMarked
package dev.tidestream.server.cli.configuration;

import org.jspecify.annotations.NullMarked;
