@NullMarked
package dev.tidestream.server.admin.store;

import org.jspecify.annotations.NullMarked;
