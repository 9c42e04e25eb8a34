@NullMarked
package dev.tidestream.server.cluster.follow;

import org.jspecify.annotations.NullMarked;
