package dev.tidestream.server.log;

import ch.qos.logback.classic.pattern.MessageConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;

import dev.tidestream.console.Printable;

/** {@code %msg}: a message with its arguments, in one line. */
public final class PrintableMessage extends MessageConverter {
    @Override
    public String convert(ILoggingEvent event) {
        return Printable.line(String.valueOf(event.getFormattedMessage()));
    }
}
