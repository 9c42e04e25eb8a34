@NullMarked
package dev.tidestream.server.configuration;

import org.jspecify.annotations.NullMarked;
