using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Starts a function by a message on a storage queue.</summary>
public sealed class QueueTriggerAttribute : TriggerBindingAttribute
{
    /// <summary>Names the queue.</summary>
    public QueueTriggerAttribute(string queueName) => QueueName = queueName;

    /// <summary>The queue's name.</summary>
    public string QueueName { get; }

    /// <summary>Name of the setting with the storage account; <c>AzureWebJobsStorage</c> where it is absent.</summary>
    public string? Connection { get; set; }
}
