package dev.tidestream.server.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import org.slf4j.LoggerFactory;

/** How much is written. Any thread. */
public enum LogLevels {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE;

    /**
     * Loggers that have no level of their own write this and what is more serious; nothing happens where logback does
     * not write the log.
     */
    public void set() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(Level.valueOf(name()));
        }
    }
}
