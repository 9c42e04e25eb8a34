/**
 * Memory of keys and values: the pool that lends blocks, what each sequence has of them, and blocks shared by content. Touched by
 * the decode thread only.
 */
@NullMarked
package dev.tidestream.server.scheduler.kv;

import org.jspecify.annotations.NullMarked;
