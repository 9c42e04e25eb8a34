package dev.tidestream.loadtest;

import java.util.LinkedHashMap;
import java.util.Map;

import dev.tidestream.loadtest.plan.AdminTraffic;
import dev.tidestream.loadtest.plan.Arrivals;
import dev.tidestream.loadtest.plan.Faults;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.Times;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.protocol.Protocol;

/** All that was set for a run, by name and for people, whether it was given or is a default. */
final class Settings {
    private Settings() {}

    static Map<String, String> of(LoadOptions options, LoadPlan plan) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("wire", options.target == LoadOptions.TargetKind.OPENAI
                ? "openai " + options.endpoint(options.urlOrDefault()).api() : Protocol.SUBPROTOCOL);
        settings.put("load", load(options, plan));
        settings.put("prompts", prompts(options));
        settings.put("max_tokens", options.outputTokens.toString());
        settings.put("turns", options.turns + (options.turns.toString().equals("1") ? "" : ", " + options.turnTokens
                + " tokens each, think "
                + Times.text(plan.think())));
        settings.put("sampling", "temperature " + options.temperature + (options.suppressToken < 0 ? "" : ", token "
                + options.suppressToken + " suppressed"));
        settings.put(RunReport.SLO, plan.slo().toString());
        settings.put("credit", plan.credit().toString());
        settings.put("follow", share(plan.followShare()) + " of the streams, the others pin");
        settings.put("faults", faults(plan.faults()));
        if (options.workers.any()) {
            settings.put("workers", options.workers + ", back after " + Times.text(options.workers.back));
        }
        settings.put("repeats", share(plan.repeatShare()) + " of the requests ask again");
        settings.put("admin", admin(plan.admin()));
        settings.put("connections", plan.streamsPerConnection() + " streams each" + (plan.arrivals() instanceof Arrivals.Open
                ? ", at most " + plan.maxConnections() : "") + (plan.idle() == 0 ? "" : ", and " + plan.idle()
                + " that only watch"));
        settings.put("warmup", Times.text(plan.warmup()));
        settings.put("duration", plan.requests().isPresent() ? plan.requests().getAsLong() + " requests"
                : Times.text(plan.duration()));
        settings.put("patience", "drain " + Times.text(plan.drain()) + ", stall " + Times.text(plan.stall()));
        settings.put("errors", options.failOnErrors ? "fail the run" : "are counted");
        settings.put("seed", String.valueOf(plan.seed()));
        return settings;
    }

    private static String load(LoadOptions options, LoadPlan plan) {
        String loop = switch (plan.arrivals()) {
            case Arrivals.Closed _ -> "closed loop";
            case Arrivals.Open open -> open.poisson() ? "open loop, Poisson" : "open loop, constant";
        };
        String levels = options.findMax ? "the highest that meets the SLO, from " + plan.arrivals().text() + ", by "
                + share(options.sloShare) + " of the requests"
                : options.sweep.isEmpty() ? plan.arrivals().text() : "sweep " + options.sweep;
        return levels + " (" + loop + ")";
    }

    private static String prompts(LoadOptions options) {
        return options.prompt != null ? "one text" : options.prompts != null ? options.prompts.toString()
                : options.promptTokens + (options.words() ? " words" : " tokens") + ", shared " + options.sharedPrefix;
    }

    private static String faults(Faults faults) {
        if (faults.equals(Faults.NONE)) {
            return "none";
        }
        return "vanish " + share(faults.vanish()) + ", cancel " + share(faults.cancel()) + ", slow " + share(faults.slow())
                + ", resume " + share(faults.resume()) + " of the streams (a slow one reads nothing for " + Faults.SLOW_MS
                + " ms; it and one that is resumed have a connection of their own)"
                + (faults.kills() ? "; a worker is killed every " + Times.text(faults.killEvery()) : "");
    }

    private static String admin(AdminTraffic admin) {
        if (!admin.any()) {
            return "none";
        }
        return admin.updatesPerS() + " updates/s of " + admin.rows() + " rows, " + admin.togglesPerS() + " toggles/s";
    }

    private static String share(double share) {
        return Math.round(share * 1000) / 10.0 + " %";
    }
}
