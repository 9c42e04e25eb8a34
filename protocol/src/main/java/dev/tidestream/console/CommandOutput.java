package dev.tidestream.console;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/**
 * Standard output or standard error of a command: UTF-8 whatever the locale, made printable ({@link Printable#text}), and not silent
 * about what could not be written, as {@link PrintWriter} is: on standard output, that throws an {@link OutputFailedException} at
 * once, so that a command that computes for a reader who has gone does not go on. On standard error there would be nobody to tell.
 *
 * <p>This is the last gate. It cannot know which line breaks are meant, so text of unknown origin that is put into a line has to go
 * through {@link Printable#line} before. Any thread may print.
 */
public final class CommandOutput extends PrintWriter {
    private final PrintWriter exact;

    private CommandOutput(Sink sink) {
        super(new Encoder(sink, true), true);
        exact = new PrintWriter(new Encoder(sink, false), true);
    }

    /** The process's standard output. */
    public static CommandOutput stdout() {
        return required(new FileOutputStream(FileDescriptor.out));
    }

    /** The process's standard error. */
    public static CommandOutput stderr() {
        return new CommandOutput(new Sink(new FileOutputStream(FileDescriptor.err), false));
    }

    /** Output that must arrive, as that of {@link #stdout}. */
    static CommandOutput required(OutputStream stream) {
        return new CommandOutput(new Sink(stream, true));
    }

    /**
     * Writes to the same place without making text printable: for what a pipe is to get exactly, and for control sequences of our
     * own. Any other writer is its own exact one.
     */
    public static PrintWriter exact(PrintWriter output) {
        return output instanceof CommandOutput gate ? gate.exact : output;
    }

    /** Bytes on their way to a file descriptor; has its own lock, since two writers share it. */
    private static final class Sink {
        private final OutputStream stream;
        private final boolean required;

        Sink(OutputStream stream, boolean required) {
            this.stream = new BufferedOutputStream(stream);
            this.required = required;
        }

        synchronized void write(String text) {
            try {
                stream.write(text.getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                failed(e);
            }
        }

        synchronized void flush() {
            try {
                stream.flush();
            } catch (IOException e) {
                failed(e);
            }
        }

        private void failed(IOException e) {
            if (required) {
                throw new OutputFailedException(e);
            }
        }
    }

    /** From characters to bytes; a surrogate waits for its other half. */
    private static final class Encoder extends Writer {
        private final Sink sink;
        private final boolean printable;
        private String waiting = "";

        Encoder(Sink sink, boolean printable) {
            this.sink = sink;
            this.printable = printable;
        }

        @Override
        public void write(char[] chars, int from, int length) {
            if (length == 0) {
                return;
            }
            String text = waiting + new String(chars, from, length);
            boolean half = Character.isHighSurrogate(text.charAt(text.length() - 1));
            waiting = half ? text.substring(text.length() - 1) : "";
            String whole = half ? text.substring(0, text.length() - 1) : text;
            sink.write(printable ? Printable.text(whole) : whole);
        }

        @Override
        public void flush() {
            sink.flush();
        }

        @Override
        public void close() {
            flush();
        }
    }
}
