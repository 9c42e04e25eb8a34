@NullMarked
package dev.tidestream.server.adapters.file;

import org.jspecify.annotations.NullMarked;
