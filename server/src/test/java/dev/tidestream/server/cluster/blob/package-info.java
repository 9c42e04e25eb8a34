@NullMarked
package dev.tidestream.server.cluster.blob;

import org.jspecify.annotations.NullMarked;
