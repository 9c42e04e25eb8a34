package dev.tidestream.server.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

import dev.tidestream.console.Commands;
import dev.tidestream.server.app.RunningServer;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.configuration.HotSettings;
import dev.tidestream.server.cli.configuration.ListedSetting;
import dev.tidestream.server.cli.configuration.SettingDefaults;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.LogLevels;

/**
 * Reads the settings of a running server anew, as its start did: command line, environment, file. What may change does, what
 * else is different needs a restart, and the log says which is which. A file that is of no use changes nothing. One thread at
 * a time.
 */
final class ServeReload {
    private static final Logger log = LoggerFactory.getLogger("tidestream.server");
    private static final String LOG_LEVEL = "log-level";

    private final RunningServer server;
    private final List<String> args;
    private Map<String, ListedSetting> current;

    /**
     * @param args of the process
     * @param started the command as it was parsed at the start
     */
    ServeReload(RunningServer server, List<String> args, CommandSpec started) {
        this.server = server;
        this.args = args;
        this.current = byName(ListedSetting.of(started));
    }

    private static Map<String, ListedSetting> byName(List<ListedSetting> settings) {
        Map<String, ListedSetting> all = new LinkedHashMap<>();
        settings.forEach(setting -> all.put(setting.name(), setting));
        return all;
    }

    /** Takes what there is now. */
    void run() {
        ServeCommand command;
        ServerConfig config;
        Map<String, ListedSetting> next;
        try {
            command = parse();
            config = command.config();
            next = byName(ListedSetting.of(command.spec));
        } catch (ParameterException e) {
            log.warn("{}", EventLine.of("config_kept").withText("reason", Commands.message(e, args)));
            return;
        }
        server.reconfigure(config);
        boolean otherLevel = !Objects.equals(next.get(LOG_LEVEL), current.get(LOG_LEVEL));
        if (otherLevel) {
            LogLevels.INFO.set(); // what has changed is told at either level
        }
        tell(next);
        if (otherLevel) {
            command.logLevel().orElse(LogLevels.INFO).set();
        }
        current = next;
    }

    private ServeCommand parse() {
        CommandLine root = Main.commandLine(new Main());
        SettingDefaults.tell(root, args.toArray(String[]::new));
        Object command = root.parseArgs(args.toArray(String[]::new)).asCommandLineList().getLast().getCommand();
        return (ServeCommand) command;
    }

    private void tell(Map<String, ListedSetting> next) {
        int changed = 0;
        for (ListedSetting setting : next.values()) {
            ListedSetting before = current.get(setting.name());
            if (before == null || !before.value().equals(setting.value())) {
                changed++;
                log.info("{}", EventLine.of("setting_changed").with("name", setting.name())
                        .withText("from", before == null ? null : before.value()).withText("to", setting.value())
                        .withText("origin", setting.origin().words())
                        .with("takes_effect", HotSettings.isHot(setting.name()) ? "now" : "at_restart"));
            }
        }
        log.info("{}", EventLine.of("config_read").with("settings_changed", changed));
    }
}
