namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

/// <summary>Root of the attributes that bind a function to the world.</summary>
[AttributeUsage(AttributeTargets.Method)]
public abstract class BindingAttribute : Attribute
{
    /// <summary>For derived attributes.</summary>
    public BindingAttribute()
    {
    }
}
