package dev.tidestream.server.logging;

import ch.qos.logback.classic.pattern.ThrowableHandlingConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;

import dev.tidestream.console.Printable;

/**
 * The stack trace of an event ({@code %trace} in logback.xml). Each of its lines begins with a tab, so what begins with a date begins an
 * event; messages of exceptions are made harmless like those of events.
 */
public final class SafeTraceConverter extends ThrowableHandlingConverter {
    @Override
    public String convert(ILoggingEvent event) {
        StringBuilder trace = new StringBuilder();
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            append(thrown, "", 1, trace);
        }
        return trace.toString();
    }

    private static void append(IThrowableProxy thrown, String prefix, int depth, StringBuilder trace) {
        String tabs = "\t".repeat(depth);
        trace.append(tabs).append(prefix).append(thrown.getClassName()).append(": ")
                .append(Printable.line(String.valueOf(thrown.getMessage()))).append(System.lineSeparator());
        if (thrown.isCyclic()) {
            return;
        }
        StackTraceElementProxy[] frames = thrown.getStackTraceElementProxyArray();
        int own = frames.length - thrown.getCommonFrames();
        for (int i = 0; i < own; i++) {
            trace.append(tabs).append('\t').append(frames[i].getSTEAsString()).append(System.lineSeparator());
        }
        if (own < frames.length) {
            trace.append(tabs).append("\t... ").append(frames.length - own).append(" more").append(System.lineSeparator());
        }
        for (IThrowableProxy suppressed : thrown.getSuppressed()) {
            append(suppressed, "suppressed: ", depth + 1, trace);
        }
        if (thrown.getCause() != null) {
            append(thrown.getCause(), "caused by: ", depth, trace);
        }
    }
}
