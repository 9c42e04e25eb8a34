package dev.tidestream.server.cli.chat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.terminal.TerminalBuilder;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;

/** A terminal, with a line that can be edited and lines of before. */
final class LineConsole implements ChatConsole {
    private static final String PROMPT = "> ";
    private static final String MORE = ". ";
    private static final int HISTORY_LINES = 1000;

    private final Terminal terminal;
    private final LineReader reader;
    private final Optional<Path> history;
    private boolean atLineStart = true;

    /**
     * @param terminal closed with this
     * @param history where lines are kept; empty: nowhere
     */
    LineConsole(Terminal terminal, Optional<Path> history) {
        this.terminal = terminal;
        this.history = history.filter(this::usable);
        DefaultParser parser = new DefaultParser(); // a message has neither quotes nor escapes
        parser.setQuoteChars(new char[0]);
        parser.setEscapeChars(new char[0]);
        LineReaderBuilder builder = LineReaderBuilder.builder().terminal(terminal).appName("tidestream").parser(parser)
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.HISTORY_TIMESTAMPED, false)
                .option(LineReader.Option.INSERT_TAB, true)
                .variable(LineReader.HISTORY_SIZE, HISTORY_LINES)
                .variable(LineReader.HISTORY_FILE_SIZE, HISTORY_LINES);
        this.history.ifPresent(file -> builder.variable(LineReader.HISTORY_FILE, file));
        reader = builder.build();
    }

    /** The terminal that the process was started in. */
    static LineConsole ofProcess(Optional<Path> history) {
        try {
            return new LineConsole(TerminalBuilder.builder().name("tidestream").system(true).dumb(true).providers("ffm,exec")
                    .encoding(StandardCharsets.UTF_8).build(), history);
        } catch (IOException e) {
            throw new UncheckedIOException("the terminal cannot be used", e);
        }
    }

    private boolean usable(Path file) {
        try {
            HistoryFile.prepare(file);
            return true;
        } catch (IOException e) {
            remark("(no history: %s: %s)".formatted(Printable.line(file.toString()), Printable.line(Reasons.of(e))));
            return false;
        }
    }

    @Override
    public Input read(boolean more) {
        try {
            return new Input.Line(reader.readLine(more ? MORE : PROMPT));
        } catch (UserInterruptException e) {
            return new Input.Interrupt(!more && e.getPartialLine().isEmpty());
        } catch (EndOfFileException _) {
            return new Input.End();
        }
    }

    @Override
    public void answer(String part) {
        if (part.isEmpty() || (part.equals("\n") && atLineStart)) {
            return;
        }
        terminal.writer().print(Printable.text(part));
        terminal.flush();
        atLineStart = part.endsWith("\n");
    }

    @Override
    public void remark(String line) {
        terminal.writer().println(Printable.text(line));
        terminal.flush();
        atLineStart = true;
    }

    @Override
    public void stoppable(StopSwitch stop, Runnable work) {
        SignalHandler before = terminal.handle(Signal.INT, signal -> stop.request());
        try {
            work.run();
        } finally {
            terminal.handle(Signal.INT, before);
        }
    }

    @Override
    public void close() {
        try (terminal) {
            if (history.isPresent()) {
                reader.getHistory().save();
                HistoryFile.protect(history.get());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the history cannot be written", e);
        }
    }
}
