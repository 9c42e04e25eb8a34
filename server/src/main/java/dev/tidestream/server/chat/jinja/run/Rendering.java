package dev.tidestream.server.chat.jinja.run;

import java.time.LocalDateTime;

import dev.tidestream.server.chat.jinja.base.Budget;

/**
 * What one rendering has. One thread.
 *
 * @param budget what it may do
 * @param now what {@code strftime_now} tells
 * @param changes whether methods that change lists and dicts are there
 */
public record Rendering(Budget budget, LocalDateTime now, boolean changes) {}
