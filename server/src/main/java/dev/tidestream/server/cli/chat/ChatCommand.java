package dev.tidestream.server.cli.chat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.console.Terminals;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.server.app.ModelFiles;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.chat.ChatTemplate;
import dev.tidestream.server.chat.ChatTemplateException;
import dev.tidestream.server.chat.SpecialTokens;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.TerminalStart;
import dev.tidestream.server.engine.EngineConfig;

/** {@code chat}: a conversation. */
@Command(name = "chat") // picocli wants the name of a subcommand on its own class; the rest is inherited
public final class ChatCommand extends ChatOptions implements Callable<Integer> {

    @Override
    public Integer call() {
        requireSense();
        ChatSettings settings = settings();
        ChatState state = new ChatState(Optional.ofNullable(system));
        try (Backend backend = url == null ? local() : server()) {
            if (json || !Terminals.stdin() || !Terminals.stdout()) {
                new PipedChat(System.in, spec.commandLine().getOut(), Terminals.stdout(), json).run(backend, settings, state);
            } else {
                try (LineConsole console = LineConsole.ofProcess(history())) {
                    new ChatLoop(console, backend, settings, state).run();
                }
            }
        }
        return 0;
    }

    private Optional<Path> history() {
        return noHistory ? Optional.empty() : Optional.of(HistoryFile.usual(System::getenv, System.getProperty("user.home", "")));
    }

    private Backend server() {
        if (url == null) {
            throw new IllegalStateException("no server");
        }
        return new ServerBackend(url, ApiKey.find(apiKeyFile, System::getenv), Optional.ofNullable(serverModel));
    }

    private Backend local() {
        String name;
        try (ModelSource source = model.open()) {
            name = Printable.line(String.valueOf(source.path().getFileName()));
            if (!raw) {
                requireTemplate(source);
            }
        }
        ServerConfig config = ServerConfig.DEFAULT.withModel(model.path()).withCompute(compute.config())
                .withEngine(EngineConfig.DEFAULT.withMaxSequences(1))
                .withChats(ServerConfig.Chats.DEFAULT.withTemplate(chatTemplate));
        ModelRuntime running = ModelRuntime.start(config, new TerminalStart(spec.commandLine().getErr()));
        return new LocalBackend(running, name, raw ? null : running.chat());
    }

    /** Before the model is loaded for nothing. */
    private void requireTemplate(ModelSource source) {
        Path path = chatTemplate == null ? source.path() : chatTemplate;
        try {
            String text = ModelFiles.chatTemplates(source, chatTemplate).choose(false).orElseThrow(() -> new CliException(
                    ("%s has no chat template, so it cannot tell who says what: give one with --chat-template FILE,"
                            + " or --raw to have it continue your text").formatted(source.path().getFileName())));
            ChatTemplate.parse(text, SpecialTokens.of(Optional.empty(), Optional.empty()), Clock.systemUTC());
        } catch (IOException e) {
            throw new CliException("%s: %s".formatted(path, Reasons.of(e)), e);
        } catch (ChatTemplateException e) {
            throw new CliException("%s: the chat template cannot be used: %s".formatted(path, e.getMessage()), e);
        }
    }
}
