using System.Text.RegularExpressions;

namespace LangTrain.Architecture.Tests;

/// <summary>README is true: what it names is there.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Text = Repository.Read("README.md");

    [Fact]
    public void Every_path_it_names_exists()
    {
        var linked = Link().Matches(Text).Select(match => match.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal));
        var tabled = TableFolder().Matches(Text).Select(match => match.Groups[1].Value);
        var projects = ProjectArgument().Matches(Text).Select(match => match.Groups[1].Value);

        Assert.Empty(linked.Concat(tabled).Concat(projects).Where(path => !Path.Exists(Repository.PathOf(path))));
    }

    [Fact]
    public void The_table_of_folders_has_every_project()
    {
        var tabled = TableFolder().Matches(Text).Select(match => match.Groups[1].Value).ToHashSet();
        var projects = Repository.Files("src", "*.csproj").Select(file => Path.GetDirectoryName(file)!.Replace('\\', '/'));

        Assert.Empty(projects.Where(project => !tabled.Contains(project)));
    }

    [Fact]
    public void Every_setting_it_names_is_in_the_sample_settings()
    {
        var sample = Repository.Read("local.settings.sample.json");

        Assert.Empty(Setting().Matches(Text).Select(match => match.Value).Distinct().Where(name => !sample.Contains($"\"{name}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_test_command_of_the_ci_script_is_the_one_it_names()
    {
        Assert.Matches("(?m)^dotnet test ", Text);
        Assert.Matches("(?m)^dotnet test ", Repository.Read(".ci/run"));
    }

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?m)^\| `([^`]+)` \|")]
    private static partial Regex TableFolder();

    [GeneratedRegex(@"--(?:project|script-root) (\S+?)[`\s]")]
    private static partial Regex ProjectArgument();

    [GeneratedRegex("LANGTRAIN_[A-Z_]+")]
    private static partial Regex Setting();
}
