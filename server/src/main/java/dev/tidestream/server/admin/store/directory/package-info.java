/**
 * A directory of files that belongs to one process: names change atomically, and what is forced survives a crash.
 */
@NullMarked
package dev.tidestream.server.admin.store.directory;

import org.jspecify.annotations.NullMarked;
