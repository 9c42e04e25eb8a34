/**
 * Answers of the {@code AdminDesk}: reads, changes one at a time, checkpoints after them. Worker threads only; never the event loop,
 * never the decode thread.
 */
@NullMarked
package dev.tidestream.server.admin.service;

import org.jspecify.annotations.NullMarked;
