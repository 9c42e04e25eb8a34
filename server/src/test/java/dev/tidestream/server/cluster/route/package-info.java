@NullMarked
package dev.tidestream.server.cluster.route;

import org.jspecify.annotations.NullMarked;
