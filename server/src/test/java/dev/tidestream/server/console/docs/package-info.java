@NullMarked
package dev.tidestream.server.console.docs;

import org.jspecify.annotations.NullMarked;
