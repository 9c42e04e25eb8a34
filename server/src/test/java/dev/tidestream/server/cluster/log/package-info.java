@NullMarked
package dev.tidestream.server.cluster.log;

import org.jspecify.annotations.NullMarked;
