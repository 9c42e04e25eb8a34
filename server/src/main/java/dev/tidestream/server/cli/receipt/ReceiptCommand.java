package dev.tidestream.server.cli.receipt;

import picocli.CommandLine.Command;

/** {@code receipt}: commands for those who have a receipt. */
@Command(
        name = "receipt",
        description = {
            "Verify receipts of streams.",
            "A receipt is what a server says that a stream was made of, signed: see docs/receipts.md."
        },
        synopsisSubcommandLabel = "COMMAND",
        subcommands = ReceiptVerifyCommand.class,
        footer = {
            "",
            "Examples:",
            "  tidestream receipt verify eyJhbGciOi… --keys jwks.json",
            "  tidestream receipt verify --recompute --prompt \"Once upon a time\" < receipt.txt",
            "",
            "Help on one of them: tidestream receipt COMMAND --help",
        })
public final class ReceiptCommand {}
