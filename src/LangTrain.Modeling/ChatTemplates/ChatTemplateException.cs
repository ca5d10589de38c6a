namespace LangTrain.Modeling.ChatTemplates;

/// <summary>A chat cannot be rendered; the message is the template's own where the template raised it.</summary>
public sealed class ChatTemplateException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">The template's own words, or what is wrong with the template.</param>
    /// <param name="inner">The cause, if there is one.</param>
    public ChatTemplateException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
