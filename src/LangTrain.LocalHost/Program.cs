using LangTrain.LocalHost.Processes;
using LangTrain.LocalHost.Startup;
using Spectre.Console;

if (CommandLine.Parse(args) is not { } command)
{
    return 2;
}

if (command.Help)
{
    CommandLine.WriteHelp();
    return 0;
}

try
{
    return await new LocalHostRun(command, LocalHostSettings.FromEnvironment()).RunAsync();
}
catch (StartFailedException failure)
{
    AnsiConsole.Console.WriteLine(failure.Message, new Style(Color.Red));
    return 1;
}
