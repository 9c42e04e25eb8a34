/**
 * What the log says and how: lines for machines and people, text of unknown origin made harmless, refusals bounded in number. Any thread;
 * knows SLF4J and logback, which nobody else of the server knows, and no other room.
 */
@NullMarked
package dev.tidestream.server.logging;

import org.jspecify.annotations.NullMarked;
