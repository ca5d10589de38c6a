using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Asks for the client of orchestrations.</summary>
public sealed class DurableClientAttribute : InputBindingAttribute
{
    /// <summary>Another task hub than the app's.</summary>
    public string? TaskHub { get; set; }

    /// <summary>Another storage account than the app's.</summary>
    public string? ConnectionName { get; set; }
}
