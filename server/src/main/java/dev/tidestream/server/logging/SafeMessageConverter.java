package dev.tidestream.server.logging;

import ch.qos.logback.classic.pattern.ClassicConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;

import dev.tidestream.console.Printable;

/**
 * The message of an event in one line ({@code %text} in logback.xml), whoever wrote it and whatever is in it: no name in a file and
 * no request can begin a line that looks like ours, or speak to the terminal.
 */
public final class SafeMessageConverter extends ClassicConverter {
    @Override
    public String convert(ILoggingEvent event) {
        return Printable.line(String.valueOf(event.getFormattedMessage()));
    }
}
