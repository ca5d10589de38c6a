namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>Where the program of an isolated worker begins.</summary>
public class FunctionsApplication
{
    /// <summary>Starts a builder.</summary>
    public static FunctionsApplicationBuilder CreateBuilder(string[] args) => new(args);
}
