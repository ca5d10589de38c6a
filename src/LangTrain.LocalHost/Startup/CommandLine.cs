using Spectre.Console;

namespace LangTrain.LocalHost.Startup;

/// <summary>What the user asked for on the command line.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Help">Say how to use this program and end.</param>
/// <param name="Verbose">Log to the console as well.</param>
internal sealed record CommandLine(Verb Verb, bool Help, bool Verbose)
{
    /// <summary>Reads the arguments; null, after a line on the error stream, when they cannot be read.</summary>
    public static CommandLine? Parse(IReadOnlyList<string> arguments)
    {
        var (verb, help, verbose) = (Verb.Run, false, false);
        foreach (var argument in arguments)
        {
            switch (argument)
            {
                case "demo": verb = Verb.Demo; break;
                case "services": verb = Verb.Services; break;
                case "--help" or "-h" or "help": help = true; break;
                case "--verbose" or "-v": verbose = true; break;
                default:
                    Console.Error.WriteLine($"Unknown argument '{argument}'. Allowed: demo, services, --verbose, --help.");
                    return null;
            }
        }

        return new CommandLine(verb, help, verbose);
    }

    /// <summary>Writes how to use this program.</summary>
    public static void WriteHelp() => AnsiConsole.Console.WriteLine(
        $"""
        LangTrain on this machine: the service, its worker and its storage, for development and tests.

        dotnet run --project src/LangTrain.LocalHost                start, and go on until Ctrl-C
        dotnet run --project src/LangTrain.LocalHost -- demo        do the main job before your eyes, and end
        dotnet run --project src/LangTrain.LocalHost -- services    start all but the app, for an app under 'func start'

        --verbose   log to the console as well as to the log files
        --help      this text

        Settings are environment variables:
          LANGTRAIN_URL                   where to listen (http://localhost:7071)
          LANGTRAIN_DATA_DIR              data, logs and caches ({LocalHostSettings.DefaultDataFolder})
          LANGTRAIN_MODELS_DIR            folder of base models in Hugging Face layout, <org>/<name>/config.json
          LANGTRAIN_MODEL_ALIASES         alias=id,alias=id
          LANGTRAIN_BOOTSTRAP_API_KEY     the first account's key (made and kept in the data folder)
          LANGTRAIN_BOOTSTRAP_TIER        free, pro or enterprise (enterprise)
          LANGTRAIN_SIGNING_KEY           what webhook secrets are derived from (made and kept in the data folder)
          LANGTRAIN_ALLOW_PRIVATE_URLS    let datasets be fetched from, and webhooks sent to, private and loopback addresses (false)
          AzureWebJobsStorage             a storage account to use instead of Azurite

        local.settings.sample.json names all settings, with a comment each.
        """);
}

/// <summary>What LocalHost is started for.</summary>
internal enum Verb
{
    /// <summary>Everything, until Ctrl-C.</summary>
    Run,

    /// <summary>Everything, the demo, the end.</summary>
    Demo,

    /// <summary>Azurite, worker and Web PubSub stand-in, for an app that runs elsewhere.</summary>
    Services,
}
