@chat
Feature: Usage
  Tokens are money: what is billed must add up, and must follow from what was sent and what came.

  Scenario: The usage adds up, <delivery>
    Given replies are <delivery>
    When I ask "Name three colors."
    Then the reply mentions "Red"
    And the usage adds up
    And the prompt tokens are at least 4
    And the completion tokens are at least 5

  @W036
  Scenario: The prompt grows from turn to turn, <delivery>
    Given replies are <delivery>
    When I ask "What is the capital of France?"
    Then the usage adds up
    When I continue with "And of Germany?"
    Then the usage adds up
    And the prompt tokens are more than before
    When I continue with "And of Italy?"
    Then the usage adds up
    And the prompt tokens are more than before

  Scenario: A longer question is a longer prompt
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    When I ask "I am planning a long journey through Europe. What is the capital of France?"
    Then the reply is not empty
    And the prompt tokens are more than before

  @W035
  Scenario: The same prompt is counted the same, cached or not
    When I ask "What is the capital of Norway?"
    And I save the response's "usage.prompt_tokens" as "first"
    And I repeat the request
    Then the reply mentions "Oslo"
    And the response's "usage.prompt_tokens" is {{first}}

  Scenario: Streamed and whole replies cost the same
    When I ask "What is the capital of Austria?"
    Then the reply mentions "Vienna"
    And the completion tokens are 8
    Given replies are streamed
    When I ask "What is the capital of Austria?"
    Then the reply mentions "Vienna"
    And the completion tokens are 8

  @request_metrics @serial @W169
  Scenario: The server's own counters agree with what it billed, <delivery>
    Given replies are <delivery>
    When I note the server's counters
    And I ask "What is the capital of France?"
    Then the request succeeds
    When I continue with "And of Germany?"
    Then the request succeeds
    When I ask "Name three colors."
    Then the request succeeds
    And the counters grew by the usage of the replies

  Scenario: A reply that is cut is counted to the cut
    Given at most 12 tokens
    When I ask "Write a story about a fox."
    Then the finish reason is "length"
    And the completion tokens are 12
    And the usage adds up
