package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;

import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.console.CommandOutput;

/** {@code completion}: a script for a shell, made of the commands that there are. */
@Command(
        name = "completion",
        description = "Print a script that completes commands and options in a shell.",
        footer = {
            "",
            "Examples:",
            "  source <(tidestream completion bash)          in this shell; in ~/.bashrc for all to come",
            "  source <(tidestream completion zsh)           the same, in ~/.zshrc",
            "  tidestream completion bash > /etc/bash_completion.d/tidestream",
        })
final class CompletionCommand implements Callable<Integer> {
    private static final String LOAD_TOOL = "loadtest";

    /** Those that read the script. */
    enum Shell { BASH, ZSH }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    /** Others are refused; the script itself finds out which of them reads it. */
    @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
    void setShell(@SuppressWarnings("unused") Shell value) {}

    @Override
    public Integer call() {
        PrintWriter out = CommandOutput.exact(spec.commandLine().getOut());
        out.print(script());
        out.flush();
        return 0;
    }

    /** One script for both: in zsh, it has its functions called as bash would call them. */
    static String script() {
        CommandLine root = Main.commandLine(new Main());
        root.addSubcommand(LOAD_TOOL, CommandSpec.create()); // a program of its own behind the same launcher
        return AutoComplete.bash("tidestream", root);
    }
}
