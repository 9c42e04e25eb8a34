package dev.tidestream.server.scheduler;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

/** How a sequence ended. */
public record Completion(FinishReason reason, Usage usage, Timing timing) {}
