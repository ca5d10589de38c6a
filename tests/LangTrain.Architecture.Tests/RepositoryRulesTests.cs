using System.Text.RegularExpressions;

namespace LangTrain.Architecture.Tests;

/// <summary>What every commit keeps true of the repository as a whole.</summary>
public sealed partial class RepositoryRulesTests
{
    private static readonly string[] RootEntries =
    [
        "src", "infra", "tests", "host.json", "local.settings.sample.json", "LangTrain.Functions.sln", "README.md", "LICENSE",
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", ".editorconfig", ".gitignore", ".gitattributes", ".ci",
        ".dockerignore",
    ];

    // Made by tools beside the sources and ignored by git.
    private static readonly string[] Ignored = [".git", "bin", "obj", "TestResults", "node_modules", ".vs", ".idea", "local.settings.json"];

    [Fact]
    public void The_root_holds_only_what_belongs_there()
    {
        var entries = Directory.EnumerateFileSystemEntries(Repository.Root).Select(Path.GetFileName).OfType<string>();

        Assert.Empty(entries.Except(RootEntries).Except(Ignored));
    }

    [Fact]
    public void Every_library_has_a_test_project_of_its_name()
    {
        var libraries = Repository.Files("src", "*.csproj").Select(file => Path.GetFileNameWithoutExtension(file)!);
        var tests = Repository.Files("tests", "*.csproj").Select(file => Path.GetFileNameWithoutExtension(file)!).ToHashSet();

        Assert.Empty(libraries.Where(name => !tests.Contains(name + ".Tests")));
    }

    [Fact]
    public void The_solution_holds_every_project()
    {
        var solution = Repository.Read("LangTrain.Functions.sln").Replace('\\', '/');
        var projects = Repository.Files("src", "*.csproj").Concat(Repository.Files("tests", "*.csproj"));

        Assert.Empty(projects.Where(project => !solution.Contains(project, StringComparison.Ordinal)));
    }

    [Fact]
    public void Names_say_what_a_type_does()
    {
        var found = Repository.Files("src", "*.cs")
            .Select(file => Path.GetFileNameWithoutExtension(file)!)
            .Where(name => VagueName().IsMatch(name));

        Assert.Empty(found);
    }

    [Fact]
    public void A_file_is_short_enough_to_be_read_at_once()
    {
        var found = Repository.Files("src", "*.cs")
            .Select(file => (file, lines: Repository.Read(file).Count(c => c == '\n')))
            .Where(entry => entry.lines > 500);

        Assert.Empty(found);
    }

    [Fact]
    public void Nothing_names_a_place_of_somebodys_machine()
    {
        var found =
            from file in Repository.Files(".", "*").Select(file => file.StartsWith("./", StringComparison.Ordinal) ? file[2..] : file)
            where Path.GetExtension(file) is ".cs" or ".json" or ".md" or ".props" or ".targets" or ".csproj" or ".bicep" or ".sh" or ".py" or ".js" or ".mjs"
            where !file.EndsWith(nameof(RepositoryRulesTests) + ".cs", StringComparison.Ordinal)
            let text = Repository.Read(file)
            where MachinePlace().IsMatch(text)
            select $"{file}: {MachinePlace().Match(text).Value}";

        Assert.Empty(found);
    }

    [Fact]
    public void Only_hosts_read_the_environment()
    {
        var found = Repository.Files("src", "*.cs")
            .Where(file => !file.Contains("/LangTrain.LocalHost/", StringComparison.Ordinal) && !file.Contains("/LangTrain.Cli/", StringComparison.Ordinal)
                && !file.EndsWith("/Program.cs", StringComparison.Ordinal))
            .Where(file => Repository.Read(file).Contains("Environment.GetEnvironmentVariable", StringComparison.Ordinal));

        Assert.Empty(found);
    }

    [GeneratedRegex("(Manager|Helper|Helpers|Utils|Util|Common)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"(?<![\w.])/(work|root|home/\w+)/|""resolved"":\s*""https?:")]
    private static partial Regex MachinePlace();
}
