package dev.tidestream.server.logging;

import java.util.Iterator;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import org.slf4j.LoggerFactory;

/** What the log of this process looks like. */
public enum LogFormat {
    /** For people; what logback's configuration says. */
    TEXT,
    /** For machines, see {@link JsonEncoder}. */
    JSON;

    /** From now on, on the console. A configuration of logback's own that has no console is left alone. */
    public void apply() {
        if (this == JSON && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            Iterator<Appender<ILoggingEvent>> appenders = context.getLogger(Logger.ROOT_LOGGER_NAME).iteratorForAppenders();
            while (appenders.hasNext()) {
                if (appenders.next() instanceof ConsoleAppender<ILoggingEvent> console) {
                    JsonEncoder encoder = new JsonEncoder();
                    encoder.setContext(context);
                    encoder.start();
                    console.setEncoder(encoder);
                }
            }
        }
    }
}
