/**
 * Transactions that are open: what was asked for and the parts that have come, in files of the data directory that a restart finds again.
 * Worker threads only.
 */
@NullMarked
package dev.tidestream.server.admin.store.open;

import org.jspecify.annotations.NullMarked;
