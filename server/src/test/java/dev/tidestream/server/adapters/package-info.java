@NullMarked
package dev.tidestream.server.adapters;

import org.jspecify.annotations.NullMarked;
