package dev.tidestream.server.cli.chat;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

import dev.tidestream.console.Printable;
import dev.tidestream.protocol.WeightsPolicy;

/** What the user tells the program, and not the model. */
final class SlashCommands {
    private static final String[] HELP = {
        "/system TEXT       tell the model what it is; /system - forgets that",
        "/seed N            every answer with this seed, the same each time; /seed - chooses a new one for each",
        "/set NAME VALUE    change a setting; /set lists them",
        "/weights           which version of the weights made the answer",
        "/weights follow    an answer goes to a new version when there is one; /weights pin: it stays with the one it began with",
        "/regenerate        answer the last message again",
        "/clear             begin a new conversation; the system text stays",
        "/exit              end, as Ctrl-D does",
        "A line that ends with \\ goes on in the next one, and so does what stands between triple quotes.",
        "A message that begins with a slash: put a space in front of it, or triple quotes around it.",
    };

    private final ChatConsole console;
    private final ChatSettings settings;
    private final ChatState state;
    private final Consumer<String> answer;

    /** @param answer has a question answered */
    SlashCommands(ChatConsole console, ChatSettings settings, ChatState state, Consumer<String> answer) {
        this.console = console;
        this.settings = settings;
        this.state = state;
        this.answer = answer;
    }

    /** Does it; whether the program goes on. */
    boolean run(String line) {
        String[] words = line.strip().split("\\s+", 2);
        String rest = words.length > 1 ? words[1] : "";
        switch (words[0]) {
            case "/exit", "/quit" -> {
                return false;
            }
            case "/help" -> {
                for (String help : HELP) {
                    console.remark(help);
                }
            }
            case "/system" -> system(rest);
            case "/seed" -> seed(rest);
            case "/set" -> set(rest);
            case "/weights" -> weights(rest);
            case "/clear" -> {
                state.clear();
                console.remark("(a new conversation)");
            }
            case "/regenerate" -> regenerate();
            default -> console.remark("(no such command: %s; /help lists them)".formatted(Printable.value(words[0], 40)));
        }
        return true;
    }

    private void system(String text) {
        if (!text.isEmpty()) {
            state.system(text.equals("-") ? Optional.empty() : Optional.of(text));
        }
        console.remark(state.system().map(now -> "(system: " + Printable.line(now) + ")").orElse("(no system text)"));
    }

    private void seed(String text) {
        try {
            if (!text.isEmpty()) {
                settings.seed(text.equals("-") ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(text)));
            }
        } catch (NumberFormatException _) {
            console.remark("(a seed is a whole number: %s)".formatted(Printable.value(text, 40)));
            return;
        }
        String last = state.last().map(Answer::seed).filter(OptionalLong::isPresent)
                .map(seed -> "; the last answer had " + seed.getAsLong()).orElse("");
        console.remark(settings.seed().isPresent()
                ? "(seed: %d%s)".formatted(settings.seed().getAsLong(), last) : "(seed: a new one for each answer%s)".formatted(last));
    }

    private void set(String text) {
        if (text.isEmpty()) {
            for (Setting setting : Setting.values()) {
                console.remark("%-20s%s%s".formatted(setting.id(), setting.shown(settings.value(setting)),
                        settings.said(setting) == null ? " (default; a server may have its own)" : ""));
            }
            return;
        }
        String[] words = text.split("[\\s=]+", 2);
        Optional<Setting> setting = Setting.named(words[0]);
        if (setting.isEmpty() || words.length < 2) {
            console.remark("(/set NAME VALUE, with one of the names %s)".formatted(Setting.names()));
            return;
        }
        try {
            settings.set(setting.get(), setting.get().checked(words[1].strip()));
            console.remark("(%s: %s)".formatted(setting.get().id(), setting.get().shown(settings.value(setting.get()))));
        } catch (IllegalArgumentException e) {
            console.remark("(%s %s)".formatted(setting.get().id(), Printable.line(String.valueOf(e.getMessage()))));
        }
    }

    private void weights(String text) {
        switch (text) {
            case "" -> { }
            case "pin" -> settings.weights(WeightsPolicy.PIN);
            case "follow" -> settings.weights(WeightsPolicy.FOLLOW);
            default -> {
                console.remark("(/weights pin or /weights follow)");
                return;
            }
        }
        String made = state.last().map(last -> last.weightsVersion().isPresent()
                ? "version %d made the end of the last answer".formatted(last.weightsVersion().getAsLong())
                : "the server does not say which version made the last answer").orElse("no answer yet");
        console.remark("(weights: %s; new answers %s)".formatted(made, settings.weights() == WeightsPolicy.PIN
                ? "stay with the version they begin with (pin)" : "go to a new version when there is one (follow)"));
    }

    private void regenerate() {
        Optional<String> question = state.takeBack();
        if (question.isEmpty()) {
            console.remark("(nothing to answer again)");
            return;
        }
        if (settings.seed().isPresent()) {
            console.remark("(seed %d is set: with the same settings the answer is the same; /seed - changes that)"
                    .formatted(settings.seed().getAsLong()));
        }
        answer.accept(question.get());
    }
}
