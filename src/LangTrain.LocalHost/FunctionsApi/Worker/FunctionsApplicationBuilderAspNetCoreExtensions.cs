namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>ASP.NET Core integration.</summary>
public static class FunctionsApplicationBuilderAspNetCoreExtensions
{
    /// <summary>Lets functions take <c>HttpRequest</c> and give <c>IResult</c>.</summary>
    public static FunctionsApplicationBuilder ConfigureFunctionsWebApplication(this FunctionsApplicationBuilder builder) => builder;
}
