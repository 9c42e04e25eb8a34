@NullMarked
package dev.tidestream.server.admin.store.open;

import org.jspecify.annotations.NullMarked;
