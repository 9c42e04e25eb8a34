@NullMarked
package dev.tidestream.server.bench.cluster;

import org.jspecify.annotations.NullMarked;
