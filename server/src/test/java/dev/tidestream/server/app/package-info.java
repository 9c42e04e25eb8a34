@NullMarked
package dev.tidestream.server.app;

import org.jspecify.annotations.NullMarked;
