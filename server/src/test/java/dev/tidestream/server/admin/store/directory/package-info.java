@NullMarked
package dev.tidestream.server.admin.store.directory;

import org.jspecify.annotations.NullMarked;
