using System.Xml.Linq;

namespace LangTrain.Architecture.Tests;

/// <summary>Who may reference whom: two islands that meet only in the worker.</summary>
public sealed class ProjectReferenceTests
{
    /// <summary>Project to the projects it may reference; a project that is not here is a new room and wants a decision.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["LangTrain.Contracts"] = [],
        ["LangTrain.Core"] = ["LangTrain.Contracts"],
        ["LangTrain.AzureAdapters"] = ["LangTrain.Core"],
        ["LangTrain.Functions"] = ["LangTrain.Core", "LangTrain.AzureAdapters"],
        // LocalHost compiles the sources of Functions; the worker it only builds, to start it as a process.
        ["LangTrain.LocalHost"] = ["LangTrain.Core", "LangTrain.AzureAdapters", "LangTrain.Worker"],
        ["LangTrain.Modeling"] = [],
        ["LangTrain.Training"] = ["LangTrain.Modeling"],
        ["LangTrain.Inference"] = ["LangTrain.Modeling"],
        ["LangTrain.Worker"] = ["LangTrain.Contracts", "LangTrain.Core", "LangTrain.AzureAdapters", "LangTrain.Training", "LangTrain.Inference"],
        ["LangTrain.Client"] = ["LangTrain.Contracts"],
        ["LangTrain.Cli"] = ["LangTrain.Contracts", "LangTrain.Client"],
    };

    public static TheoryData<string> Projects() => [.. Repository.Files("src", "*.csproj")];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_its_island_allows(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        Assert.True(Allowed.TryGetValue(name, out var allowed), $"{name} is not in the table of projects.");

        var references = XDocument.Load(Repository.PathOf(path)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

        Assert.Empty(references.Except(allowed));
    }

    [Fact]
    public void LocalHost_builds_the_worker_without_linking_it()
    {
        var reference = XDocument.Load(Repository.PathOf("src/LangTrain.LocalHost/LangTrain.LocalHost.csproj")).Descendants("ProjectReference")
            .Single(r => r.Attribute("Include")!.Value.Contains("LangTrain.Worker", StringComparison.Ordinal));

        Assert.Equal("false", reference.Attribute("ReferenceOutputAssembly")?.Value ?? reference.Element("ReferenceOutputAssembly")?.Value);
    }

    [Theory]
    [InlineData("LangTrain.Contracts", "TorchSharp", "Azure.", "Microsoft.Azure", "Microsoft.DurableTask")]
    [InlineData("LangTrain.Core", "TorchSharp", "Azure.", "Microsoft.Azure", "Microsoft.DurableTask")]
    [InlineData("LangTrain.AzureAdapters", "TorchSharp", "Microsoft.Azure.Functions", "Microsoft.DurableTask")]
    [InlineData("LangTrain.Functions", "TorchSharp", "Azure.Storage", "Azure.Data")]
    [InlineData("LangTrain.Modeling", "Azure", "LangTrain.Contracts", "LangTrain.Core", "Microsoft.AspNetCore")]
    [InlineData("LangTrain.Training", "Azure", "LangTrain.Contracts", "LangTrain.Core", "LangTrain.Inference", "Microsoft.AspNetCore")]
    [InlineData("LangTrain.Inference", "Azure", "LangTrain.Contracts", "LangTrain.Core", "LangTrain.Training", "Microsoft.AspNetCore")]
    [InlineData("LangTrain.Worker", "Microsoft.Azure.Functions", "Microsoft.DurableTask", "Azure.Storage", "Azure.Data")]
    public void An_island_does_not_name_the_other_ones_libraries(string project, params string[] forbidden)
    {
        var found =
            from file in Repository.Files($"src/{project}", "*.cs")
            from line in Repository.Read(file).Split('\n')
            where line.StartsWith("using ", StringComparison.Ordinal)
            let used = line["using ".Length..].Replace("static ", "", StringComparison.Ordinal)
            where forbidden.Any(name => used.StartsWith(name, StringComparison.Ordinal))
            select $"{file}: {line}";

        Assert.Empty(found);
    }

    [Fact]
    public void No_conditional_compilation_stands_in_a_function_class()
    {
        var found = Repository.Files("src/LangTrain.Functions", "*.cs")
            .Where(file => Repository.Read(file).Split('\n').Any(line => line.TrimStart().StartsWith("#if", StringComparison.Ordinal)));

        Assert.Empty(found);
    }
}
