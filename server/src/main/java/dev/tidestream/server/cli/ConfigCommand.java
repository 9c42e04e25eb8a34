package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.core.JsonGenerator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import dev.tidestream.server.cli.configuration.HotSettings;
import dev.tidestream.server.cli.configuration.ListedSetting;
import dev.tidestream.server.cli.configuration.SettingDefaults;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Table;
import dev.tidestream.server.configuration.Origin;

/** {@code config}: what {@code serve} would be started with, and who says so. */
@Command(
        name = "config",
        description = {
            "Show the settings that serve would have with these options, and where each comes from: the command line (flag),",
            "the environment (TIDESTREAM_MAX_STREAMS), a file (tidestream.yaml:7), or nobody (default). Starts nothing.",
        },
        footer = {
            "",
            "Examples:",
            "  tidestream config                                     the defaults, and what the environment says",
            "  tidestream config --config tidestream.yaml            the same with a file",
            "  tidestream config --config tidestream.yaml --json     for a program",
            "",
            "Exit code 2 if a setting is unknown or has no valid value: a check of a file before a restart.",
        })
final class ConfigCommand extends ServeOptions implements Callable<Integer> {
    @Option(names = "--json", fallbackValue = "true", description = "One object, in one line.")
    private boolean json;

    @Override
    public Integer call() {
        config(); // refuses what is of no use together
        List<ListedSetting> settings = ListedSetting.of(spec);
        PrintWriter out = spec.commandLine().getOut();
        SettingDefaults.of(spec).orElseThrow().settings().warnings().forEach(
                warning -> spec.commandLine().getErr().println("tidestream: warning: " + warning));
        if (json) {
            out.println(JsonText.object(fields -> write(fields, settings)));
        } else {
            Table table = new Table("setting", "value", "from", "changes");
            settings.forEach(setting -> table.row(setting.name(), setting.value(), setting.origin().words(),
                    HotSettings.isHot(setting.name()) ? "at once" : "at a restart"));
            table.print(out);
        }
        return 0;
    }

    private static void write(JsonGenerator fields, List<ListedSetting> settings) throws IOException {
        fields.writeObjectFieldStart("settings");
        for (ListedSetting setting : settings) {
            fields.writeObjectFieldStart(setting.name());
            fields.writeStringField("value", setting.isValue() ? setting.value() : null);
            if (!setting.isValue()) {
                fields.writeStringField("computed", setting.value());
            }
            switch (setting.origin()) {
                case Origin.Flag _ -> fields.writeStringField("origin", "flag");
                case Origin.Environment environment -> {
                    fields.writeStringField("origin", "environment");
                    fields.writeStringField("variable", environment.variable());
                }
                case Origin.FileLine line -> {
                    fields.writeStringField("origin", "file");
                    fields.writeStringField("file", line.file().toString());
                    fields.writeNumberField("line", line.line());
                }
                case Origin.Default _ -> fields.writeStringField("origin", "default");
            }
            fields.writeBooleanField("hot", HotSettings.isHot(setting.name()));
            fields.writeEndObject();
        }
        fields.writeEndObject();
    }
}
